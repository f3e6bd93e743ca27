-- The keys with which access tokens are signed. They are the installation's: one key set serves all organizations.

create table signing_key (
    id uuid not null,
    -- Ed25519, PKCS #8 (RFC 8410, section 7).
    private_key bytea not null,
    -- The 32 bytes that the key set shows (RFC 8037, section 2).
    public_key bytea not null,
    active boolean not null,
    -- From when no token that it signed can still be valid; null while that is not known.
    expires_at timestamptz,
    created_at timestamptz not null,
    constraint signing_key_pkey primary key (id),
    constraint signing_key_public_key_length check (length(public_key) = 32)
);
-- Replicas that start together each make a key: one is kept.
create unique index signing_key_one_active on signing_key (active) where active;

alter table signing_key enable row level security;
alter table signing_key force row level security;
create policy service on signing_key to reservas_users using (true);
grant select, insert on signing_key to reservas_users;
