//! What this service holds about a person: what they were told, how it reached them, and what they want to be told.

use platform::personal_data::Part;

/// Beside the events.
pub const PARTS: &[Part] = &[
    Part {
        name: "messages",
        statement:
            "select id, kind, subject, booking_id, reference, data, correlation_id, created_at, read_at
                    from notifications.message where organization_id = $1 and user_id = $2 order by id",
    },
    Part {
        name: "deliveries",
        statement:
            "select d.id, d.message_id, d.channel, d.device_id, d.state, d.attempts, d.last_attempt_at, d.sent_at, d.fate, d.fate_at, d.error
                    from notifications.delivery d
                    join notifications.message m on m.organization_id = $1 and m.id = d.message_id
                    where d.organization_id = $1 and m.user_id = $2 order by d.id",
    },
    Part {
        name: "attempts",
        statement: "select a.delivery_id, a.number, a.channel, a.provider, a.attempted_at, a.outcome, a.answer
                    from notifications.attempt a
                    join notifications.delivery d on d.organization_id = $1 and d.id = a.delivery_id
                    join notifications.message m on m.organization_id = $1 and m.id = d.message_id
                    where a.organization_id = $1 and m.user_id = $2 order by a.attempted_at, a.number",
    },
    Part {
        name: "preferences",
        statement: "select kind, channel, is_wanted, updated_at
                    from notifications.preference where organization_id = $1 and user_id = $2 order by kind, channel",
    },
    Part {
        name: "quiet_hours",
        statement: "select from_minute, until_minute, updated_at
                    from notifications.quiet_hours where organization_id = $1 and user_id = $2",
    },
    Part {
        // Without their tokens: who has one can write to the device.
        name: "devices",
        statement: "select id, provider, name, created_at, seen_at
                    from notifications.device where organization_id = $1 and user_id = $2 order by id",
    },
    Part {
        name: "phone",
        statement: "select number, verified_at, codes, codes_since
                    from notifications.phone where organization_id = $1 and user_id = $2",
    },
    Part {
        name: "suppressions",
        statement: "select id, reason, created_at
                    from notifications.suppression where organization_id = $1 and user_id = $2 order by id",
    },
    Part {
        // Of bookings that are theirs: what others did has the data of others in it, and answers are the integrator's.
        name: "webhook_deliveries",
        statement: "select id, type, body::jsonb as body, state, attempts, created_at, ended_at
                    from notifications.webhook_delivery
                    where organization_id = $1 and body::jsonb #>> '{data,booking,user_id}' = $2::text order by id",
    },
];
