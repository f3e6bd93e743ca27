-- Passkeys (Web Authentication, level 3): a device signs a challenge with a key that never leaves it; here is the public half.

create table passkey (
    organization_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    -- As the authenticator names it.
    credential_id bytea not null,
    -- The public key, and what the authenticator said at the registration; as webauthn_rp encodes it.
    public_key bytea not null,
    -- Signature counter, whether it is backed up, whether it verifies its user; likewise.
    state bytea not null,
    -- How browsers reach the authenticator: a set of bits; likewise.
    transports smallint not null,
    name text not null,
    created_at timestamptz not null,
    last_used_at timestamptz,
    constraint passkey_pkey primary key (organization_id, id),
    constraint passkey_account foreign key (organization_id, user_id) references account (organization_id, id),
    -- Of one account in the whole installation (section 7.1, step 26): what names it is random and long.
    constraint passkey_credential unique (credential_id),
    constraint passkey_credential_length check (length(credential_id) between 16 and 1023),
    constraint passkey_state_length check (length(state) = 7),
    constraint passkey_name check (length(name) between 1 and 100)
);
create index passkey_by_user on passkey (organization_id, user_id);
call protect('passkey');

-- Challenges that were met, until they expire: each works once, in all replicas.
create table spent_challenge (
    organization_id uuid not null,
    challenge bytea not null,
    expires_at timestamptz not null,
    constraint spent_challenge_pkey primary key (organization_id, challenge),
    constraint spent_challenge_length check (length(challenge) = 16)
);
create index spent_challenge_by_age on spent_challenge (organization_id, expires_at);
call protect('spent_challenge', 'select, insert, delete');
