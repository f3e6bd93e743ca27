-- Accounts of programs, and the keys with which programs get access tokens.

alter table account add column service boolean not null default false;

create table api_key (
    organization_id uuid not null,
    id uuid not null,
    -- Whose rights it has at most.
    user_id uuid not null,
    name text not null,
    -- SHA-256 of the secret, which is random: neither salt nor slowness would add anything.
    hash bytea not null,
    scopes text[] not null,
    created_by uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    last_used_at timestamptz,
    last_address text,
    revoked_at timestamptz,
    -- As of sessions: tokens minted up to this second are to be asked for again.
    tokens_from timestamptz,
    constraint api_key_pkey primary key (organization_id, id),
    constraint api_key_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint api_key_is_sha256 check (length(hash) = 32)
);
create index api_key_by_user on api_key (organization_id, user_id, id);
create index api_key_by_revocation on api_key (revoked_at) where revoked_at is not null;
create index api_key_by_tokens_from on api_key (tokens_from) where tokens_from is not null;
call protect('api_key', 'select, insert, update');
create policy finder on api_key for select to reservas_users_finder using (true);
grant select (id, revoked_at, tokens_from) on api_key to reservas_users_finder;
