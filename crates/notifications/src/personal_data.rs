//! What this service holds about a person: what they were told, and how it reached them.

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
            "select d.id, d.message_id, d.channel, d.state, d.attempts, d.last_attempt_at, d.sent_at, d.error
                    from notifications.delivery d
                    join notifications.message m on m.organization_id = $1 and m.id = d.message_id
                    where d.organization_id = $1 and m.user_id = $2 order by d.id",
    },
    Part {
        name: "attempts",
        statement: "select a.delivery_id, a.number, a.channel, a.attempted_at, a.outcome, a.answer
                    from notifications.attempt a
                    join notifications.delivery d on d.organization_id = $1 and d.id = a.delivery_id
                    join notifications.message m on m.organization_id = $1 and m.id = d.message_id
                    where a.organization_id = $1 and m.user_id = $2 order by a.attempted_at, a.number",
    },
];
