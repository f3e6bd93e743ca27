-- A second proof beside the password: codes of an app (TOTP, RFC 6238), and codes on paper for when it is lost.

-- The roles of which an organization demands it.
alter table organization
    add column second_factor_roles text[] not null default '{}',
    add constraint organization_second_factor_roles check (second_factor_roles <@ array['user', 'manager', 'admin']);

create table totp (
    organization_id uuid not null,
    user_id uuid not null,
    -- Shared with the app: codes are computed from it, so it cannot be kept as a hash.
    secret bytea not null,
    -- Null until a first code has shown that the app has it.
    confirmed_at timestamptz,
    -- The time step of the last code that was taken: none at or before it is taken again.
    last_step bigint not null default 0,
    created_at timestamptz not null,
    constraint totp_pkey primary key (organization_id, user_id),
    constraint totp_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint totp_secret_length check (length(secret) = 20)
);
call protect('totp');

create table recovery_code (
    organization_id uuid not null,
    user_id uuid not null,
    -- SHA-256 of account and code; 80 random bits a code.
    hash bytea not null,
    constraint recovery_code_pkey primary key (organization_id, user_id, hash),
    constraint recovery_code_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint recovery_code_is_sha256 check (length(hash) = 32)
);
call protect('recovery_code', 'select, insert, delete');

-- A sign-in between its two factors.
create table sign_in_challenge (
    organization_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    hash bytea not null,
    remember boolean not null,
    expires_at timestamptz not null,
    constraint sign_in_challenge_pkey primary key (organization_id, id),
    constraint sign_in_challenge_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint sign_in_challenge_is_sha256 check (length(hash) = 32)
);
create index sign_in_challenge_by_user on sign_in_challenge (organization_id, user_id);
call protect('sign_in_challenge', 'select, insert, delete');
