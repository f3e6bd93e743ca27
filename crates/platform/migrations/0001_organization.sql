-- What every table of the schema needs: who the current organization is, row-level security, times kept by triggers.
-- Runs once in each service's schema, with the search path set to it.

-- Set by `Db::begin`; a query outside of it sees no row, because null equals nothing.
create function current_organization() returns uuid
    language sql stable parallel safe
    as $$ select nullif(current_setting('reservas.organization', true), '')::uuid $$;

create function keep_times() returns trigger language plpgsql as $$
begin
    new.updated_at := now();
    return new;
end $$;

-- Row-level security on and forced, and the service's grants, in one call per table.
create procedure protect(target regclass, grants text default 'select, insert, update, delete') language plpgsql as $$
declare
    service text := 'reservas_' || (select nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid where c.oid = target);
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy organization on %s using (organization_id = current_organization())', target);
    execute format('grant %s on %s to %I', grants, target, service);
    if exists (select from pg_attribute where attrelid = target and attname = 'updated_at') then
        execute format('create trigger keep_times before update on %s for each row execute function keep_times()', target);
    end if;
end $$;
