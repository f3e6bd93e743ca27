//! What this service holds about a person: their bookings and what belongs to them, invitations, decisions, credit.

use platform::personal_data::Part;

/// Beside the events that they caused.
pub const PARTS: &[Part] = &[
    Part {
        name: "account",
        statement: "select role, active, version from bookings.account where organization_id = $1 and id = $2",
    },
    Part {
        name: "bookings",
        statement: "select id, reference, version, status, created_by, title, starts_at, ends_at, expires_at, attendees,
                           priority, quote, terms, checked_in_at, released_at, flag, series_id, occurrence, created_at,
                           updated_at,
                           (select jsonb_agg(jsonb_build_object('resource_id', r.resource_id, 'name', r.name,
                                             'units', r.units, 'time_zone', r.time_zone) order by r.position)
                            from bookings.booking_resource r
                            where r.organization_id = $1 and r.booking_id = b.id) as resources,
                           (select jsonb_agg(jsonb_build_object('user_id', g.user_id, 'email', g.email, 'name', g.name)
                                             order by g.position)
                            from bookings.booking_guest g
                            where g.organization_id = $1 and g.booking_id = b.id) as guests
                    from bookings.booking b where organization_id = $1 and user_id = $2 order by starts_at, id",
    },
    Part {
        name: "invited_to",
        statement: "select b.id, b.reference, b.status, b.starts_at, b.ends_at
                    from bookings.booking_guest g
                    join bookings.booking b on b.organization_id = $1 and b.id = g.booking_id
                    where g.organization_id = $1 and g.user_id = $2 order by b.starts_at, b.id",
    },
    Part {
        name: "series",
        statement: "select id, version, created_by, title, attendees, rule, starts_at, time_zone, duration_minutes, rdates,
                           exdates, resources, created_at, updated_at
                    from bookings.series where organization_id = $1 and user_id = $2 order by id",
    },
    Part {
        name: "waitlist",
        statement: "select id, version, created_by, title, attendees, resources, starts_at, ends_at, accept_minutes,
                           priority, status, booking_id, created_at, updated_at
                    from bookings.waitlist_entry where organization_id = $1 and user_id = $2 order by starts_at, id",
    },
    Part {
        name: "delegations",
        statement: "select id, user_id, delegate_id, starts_at, ends_at, created_at from bookings.delegation
                    where organization_id = $1 and (user_id = $2 or delegate_id = $2) order by starts_at, id",
    },
    Part {
        name: "decisions",
        statement: "select booking_id, round, step, approver_id, given_by, approved, reason, created_at
                    from bookings.decision where organization_id = $1 and (approver_id = $2 or given_by = $2)
                    order by created_at, booking_id",
    },
    Part {
        name: "credit",
        statement: "select id, kind, amount, currency, booking_id, reason, created_by, created_at
                    from bookings.credit_entry where organization_id = $1 and user_id = $2 order by id",
    },
    Part {
        name: "conflicts",
        statement: "select id, outcome, booking_id, waitlist_entry_id, resource_ids, starts_at, ends_at, reason, note,
                           resolved_at, created_at
                    from bookings.conflict_resolution where organization_id = $1 and user_id = $2
                    order by created_at, id",
    },
    Part {
        name: "done_to_bookings_by_others",
        statement: "select e.id, e.type, e.stream_id, e.actor_id, e.on_behalf_of, e.occurred_at, e.data
                    from bookings.booking b
                    join bookings.event e on e.organization_id = $1 and e.stream_id = b.id
                    where b.organization_id = $1 and b.user_id = $2 and e.actor_id is distinct from $2
                    order by e.occurred_at, e.id",
    },
];
