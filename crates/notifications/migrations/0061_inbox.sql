-- The order in which messages come, as that of events: a transaction that began earlier and commits later is waited for.

alter table message add column xid xid8 not null default pg_current_xact_id();
create index message_feed on message (xid, id);

do $$
declare
    finder text := 'reservas_' || current_schema() || '_finder';
begin
    -- For whom there is something new, and nothing else.
    execute format('create policy finder on message for select to %I using (true)', finder);
    execute format('grant select (organization_id, id, user_id, xid) on message to %I', finder);
end $$;
