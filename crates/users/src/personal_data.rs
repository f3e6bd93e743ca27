//! What this service holds about a person. Of passwords, codes, keys and links it tells that they are there, never them.

use platform::personal_data::Part;

/// Beside the events that they caused.
pub const PARTS: &[Part] = &[
    Part {
        name: "account",
        statement: "select id, email, name, locale, time_zone, phone, picture_url, preferences, attributes,
                           external_id, user_name, role, active,
                           email_verified, service, version, created_at, updated_at
                    from users.account where organization_id = $1 and id = $2",
    },
    Part {
        name: "groups",
        statement: "select g.id, g.name, m.by_hand, m.by_rule from users.membership m
                    join users.user_group g on g.organization_id = $1 and g.id = m.group_id
                    where m.organization_id = $1 and m.user_id = $2 order by g.id",
    },
    Part {
        name: "sessions",
        statement: "select id, created_at, expires_at, ended_at, agent, address, last_seen_at, idle_until, remembered,
                           authenticated_at, second_factor
                    from users.session where organization_id = $1 and user_id = $2 order by created_at, id",
    },
    Part {
        name: "password",
        statement: "select created_at, updated_at from users.password where organization_id = $1 and user_id = $2",
    },
    Part {
        name: "password_resets",
        statement: "select id, expires_at, created_at from users.password_reset
                    where organization_id = $1 and user_id = $2 order by created_at, id",
    },
    Part {
        name: "authenticator_app",
        statement: "select confirmed_at, created_at from users.totp where organization_id = $1 and user_id = $2",
    },
    Part {
        name: "passkeys",
        statement: "select id, name, created_at, last_used_at from users.passkey
                    where organization_id = $1 and user_id = $2 order by created_at, id",
    },
    Part {
        name: "identities",
        statement: "select issuer, subject, created_at from users.identity
                    where organization_id = $1 and user_id = $2 order by created_at, issuer",
    },
    Part {
        name: "sign_ons_under_way",
        statement: "select purpose, stage, issuer, subject, authenticated_at, created_at, expires_at from users.sign_on_flow
                    where organization_id = $1 and user_id = $2 order by created_at, id",
    },
    Part {
        name: "recovery_codes",
        statement: "select count(*) as left_over from users.recovery_code where organization_id = $1 and user_id = $2",
    },
    Part {
        name: "api_keys",
        statement: "select id, name, scopes, created_by, created_at, expires_at, last_used_at, last_address, revoked_at
                    from users.api_key where organization_id = $1 and user_id = $2 order by id",
    },
    Part {
        name: "letters",
        statement: "select id, kind, expires_at, created_at from users.letter
                    where organization_id = $1 and user_id = $2 order by created_at, id",
    },
    Part {
        name: "invitations",
        statement: "select i.id, i.email, i.name, i.role, i.groups, i.invited_by, i.expires_at, i.created_at
                    from users.invitation i
                    join users.account a on a.organization_id = $1 and a.id = $2 and a.email = i.email
                    where i.organization_id = $1 order by i.created_at, i.id",
    },
];
