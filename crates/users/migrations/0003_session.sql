-- A session is what a sign-in begins; it lives until its absolute end through a chain of refresh tokens used once each.

create table session (
    organization_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    constraint session_pkey primary key (organization_id, id),
    constraint session_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint session_lasts check (created_at < expires_at)
);
create index session_by_user on session (organization_id, user_id, expires_at);
call protect('session');

create table refresh_token (
    organization_id uuid not null,
    session_id uuid not null,
    -- SHA-256 of the token, which is random: neither salt nor slowness would add anything.
    hash bytea not null,
    created_at timestamptz not null,
    -- A used token stays until its session is deleted: whoever shows it again gives a theft away.
    used_at timestamptz,
    constraint refresh_token_pkey primary key (organization_id, session_id, hash),
    constraint refresh_token_session foreign key (organization_id, session_id)
        references session (organization_id, id) on delete cascade,
    constraint refresh_token_is_sha256 check (length(hash) = 32)
);
create unique index refresh_token_one_current on refresh_token (organization_id, session_id) where used_at is null;
call protect('refresh_token');
