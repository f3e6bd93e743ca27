-- The first answer to a request with an Idempotency-Key, kept in the transaction of its effect and replayed for 24 h.

create table idempotency_key (
    organization_id uuid not null,
    user_id uuid not null,
    key text not null,
    fingerprint bytea not null,
    status smallint not null,
    headers jsonb not null,
    body bytea not null,
    created_at timestamptz not null,
    primary key (organization_id, user_id, key)
);
call protect('idempotency_key');
create index idempotency_key_created on idempotency_key (created_at);

-- The job that forgets old answers learns which organizations have any, and nothing of what is in them.
do $$
declare
    finder text := 'reservas_' || current_schema() || '_finder';
begin
    execute format('create policy finder on idempotency_key for select to %I using (true)', finder);
    execute format('grant select (organization_id, created_at) on idempotency_key to %I', finder);
end $$;
