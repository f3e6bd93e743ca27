-- Secrets that are read again are sealed (encrypted with a key that is not in the database). The service seals what stands
-- here from before at its next start; not valid, because until then that is still there: no new plain value can be written.

alter table totp drop constraint totp_secret_length;
-- 20 bytes and what sealing adds: version, key id, nonce, tag.
alter table totp add constraint totp_secret_is_sealed check (length(secret) = 69) not valid;

-- A plain one begins with 48 (DER, a sequence).
alter table signing_key add constraint signing_key_is_sealed check (get_byte(private_key, 0) = 1) not valid;
grant update (private_key) on signing_key to reservas_users;

-- The keys that values are sealed with, so that a service that was not handed one of them says so at its start. While there
-- is none, nothing has been sealed yet.
create table sealing_key (
    -- The first 64 bits of a hash of the key, in hexadecimal.
    id text not null,
    first_used_at timestamptz not null,
    constraint sealing_key_pkey primary key (id),
    constraint sealing_key_id_is_hexadecimal check (id ~ '^[0-9a-f]{16}$')
);
alter table sealing_key enable row level security;
alter table sealing_key force row level security;
create policy service on sealing_key to reservas_users using (true);
grant select, insert, delete on sealing_key to reservas_users;
