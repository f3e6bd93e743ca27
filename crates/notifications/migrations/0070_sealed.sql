-- Secrets of webhooks are sealed (encrypted with a key that is not in the database). The service seals what stands here from
-- before at its next start; not valid, because until then that is still there: no new plain value can be written.

-- 32 bytes and what sealing adds: version, key id, nonce, tag.
alter table webhook add constraint webhook_secret_is_sealed check (length(secret) = 81) not valid;
alter table webhook add constraint webhook_old_secret_is_sealed check (length(old_secret) = 81) not valid;

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

do $$
declare
    service text := 'reservas_' || current_schema();
begin
    execute format('create policy service on sealing_key to %I using (true)', service);
    execute format('grant select, insert, delete on sealing_key to %I', service);
    -- Whose rows have sealed values is found across organizations, so that another key can follow.
    execute format('create policy finder on webhook for select to %I using (true)', service || '_finder');
    execute format('grant select (organization_id) on webhook to %I', service || '_finder');
    execute format('create policy finder on device for select to %I using (true)', service || '_finder');
    execute format('grant select (organization_id) on device to %I', service || '_finder');
end $$;
