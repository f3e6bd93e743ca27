-- What a measurement starts from, written as the schema's owner. Ids are the same as in names.rs.
create schema bench;
grant usage on schema bench to reservas_bookings;

create function bench.id(kind int, organization int, number bigint) returns uuid language sql immutable as $$
    select (lpad(to_hex(organization), 8, '0') || '-' || lpad(to_hex(kind), 4, '0') || '-7000-8000-'
            || lpad(to_hex(number), 12, '0'))::uuid
$$;

-- Ids in the order of time, as the service mints them (RFC 9562, section 5.7).
create function bench.v7() returns uuid language sql volatile as $$
    select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
            || '7' || substr(r, 1, 3) || '8' || substr(r, 4, 15))::uuid from md5(random()::text) r
$$;

-- The first slot of those to come: tomorrow at midnight.
create function bench.base() returns timestamptz language sql stable as $$
    select date_trunc('day', now(), 'UTC') + interval '1 day'
$$;

-- What is loaded next, before it is spread over the tables.
create unlogged table bench.load (
    n bigint generated always as identity (start with 1 cache 1000),
    organization int not null,
    resource bigint not null,
    unit_id bigint not null,
    starts_at timestamptz not null,
    past boolean not null
);

-- Indexes of the tables that are filled, put away for the time of loading.
create table bench.put_away (rank int, definition text);

create procedure bench.put_away() language plpgsql as $$
declare
    found record;
begin
    for found in
        select c.oid::regclass as index, k.conname, k.conrelid::regclass as target, k.contype,
               pg_get_indexdef(c.oid) as definition, pg_get_constraintdef(k.oid) as rule
        from pg_index i join pg_class c on c.oid = i.indexrelid left join pg_constraint k on k.conindid = c.oid
             and k.contype in ('u', 'x', 'p')
        where i.indrelid in ('bookings.booking'::regclass, 'bookings.booking_resource'::regclass,
                             'bookings.claim'::regclass)
          and not i.indisprimary
    loop
        if found.conname is null then
            insert into bench.put_away values (1, found.definition);
            execute format('drop index %s', found.index);
        else
            insert into bench.put_away
                values (2, format('alter table %s add constraint %I %s', found.target, found.conname, found.rule));
            execute format('alter table %s drop constraint %I', found.target, found.conname);
        end if;
    end loop;
end $$;

create procedure bench.put_back() language plpgsql as $$
declare
    found record;
begin
    for found in select definition from bench.put_away order by rank loop
        execute found.definition;
    end loop;
end $$;

-- The catalogue: rooms of four types in five sites, each with its rules, and people.
create procedure bench.catalogue(organizations int, resources int, people int) language sql as $$
    insert into bookings.resource (organization_id, id, version, name, type_name, type_id, location_path,
                                   location_names, seats, units, amenities, attributes, time_zone, parts, status)
    select bench.id(1, o, 0), bench.id(2, o, r), 1, 'Resource ' || r,
           (array['meeting room', 'lab', 'desk', 'vehicle'])[1 + r % 4], bench.id(4, o, r % 4),
           array[bench.id(5, o, r % 5), bench.id(5, o, 100 + r % 50)],
           array['Site ' || r % 5, 'Floor ' || r % 50], 2 + r * 7 % 30, 1,
           (array['{Projector,Whiteboard}', '{Projector,Video}', '{Whiteboard}', '{}'])[1 + r / 4 % 4]::text[],
           '{}', 'Europe/Lisbon', '{}', 'active'
    from generate_series(1, organizations) o, generate_series(1, resources) r;
    insert into bookings.unit (organization_id, resource_id, number)
    select organization_id, id, 1 from bookings.resource order by organization_id, id;
    insert into bookings.account (organization_id, id, version, role, active)
    select bench.id(1, o, 0), bench.id(3, o, u), 1, case u when 1 then 'manager' else 'user' end, true
    from generate_series(1, organizations) o, generate_series(1, people) u;
    insert into bookings.rules (organization_id, scope_id, scope, version, rules)
    select bench.id(1, o, 0), bench.id(1, o, 0), 'organization', 1,
           '{"policy": {"min_minutes": 1, "max_minutes": 1440, "horizon_minutes": 525600,
                        "cancellation": {"deadline_minutes": 60}}}'::jsonb
    from generate_series(1, organizations) o
    union all
    select bench.id(1, o, 0), bench.id(4, o, t), 'type', 1,
           '{"policy": {"max_minutes": 600, "grid_minutes": 1, "lead_minutes": 0, "check_in": {"grace_minutes": 30}}}'
    from generate_series(1, organizations) o, generate_series(0, 3) t;
    analyze bookings.resource, bookings.unit, bookings.account, bookings.rules;
$$;

-- Bookings of half an hour for the resources of one organization, more for the popular: resource r has a share that
-- falls with the root of r. A quarter lies in the next 90 days, in every third slot at most, so that new ones find
-- room; the rest lies behind, as far back as it takes.
create procedure bench.plan(o int, resources int, bookings bigint, first bigint, last bigint) language sql as $$
    truncate bench.load;
    insert into bench.load (organization, resource, unit_id, starts_at, past)
    select o, p.r, p.unit_id, bench.base() + slot * interval '30 minutes', slot < 0
    from (
        select r, u.id as unit_id, floor(bookings * (sqrt(r) - sqrt(r - 1)) / sqrt(resources) + 0.5)::bigint as count
        from generate_series(first, last) r
        join bookings.unit u on u.organization_id = bench.id(1, o, 0) and u.resource_id = bench.id(2, o, r)
    ) p
    cross join lateral (select least(count / 4, 1296) as ahead) a
    cross join lateral (
        select 3 * (k * 1440 / ahead) as slot from generate_series(0, ahead - 1) k
        union all
        select -48 - k * greatest(1, 17520 / greatest(count - ahead, 1)) from generate_series(1, count - ahead) k
    ) s
    order by slot, r;
$$;

-- What was planned, as the service would have written it; its events and idempotency keys are long read and forgotten.
create procedure bench.spread(people int) language sql as $$
    insert into bookings.booking (organization_id, id, reference, version, status, user_id, created_by, title, starts_at,
                                  ends_at, created_at, updated_at, priority, terms, due_at)
    select bench.id(1, organization, 0), bench.id(6, organization, n), upper(lpad(to_hex(n), 9, '0')), 1,
           case when past then 'completed' else 'confirmed' end, bench.id(3, organization, 1 + n % people),
           bench.id(3, organization, 1 + n % people), 'Review', starts_at, starts_at + interval '30 minutes',
           starts_at - interval '7 days', starts_at - interval '7 days', 0,
           '{"blocks": true, "check_in": {"required": false, "grace_minutes": 30}, "pay_with": "invoice",
             "reminders": [1440, 30], "cancellation": {"deadline_minutes": 60}}',
           case when not past then starts_at + interval '30 minutes' end
    from bench.load;
    insert into bookings.booking_resource (organization_id, booking_id, position, resource_id, units, name, time_zone,
                                           location_names)
    select bench.id(1, organization, 0), bench.id(6, organization, n), 1, bench.id(2, organization, resource), 1,
           'Resource ' || resource, 'Europe/Lisbon', array['Site ' || resource % 5, 'Floor ' || resource % 50]
    from bench.load;
    insert into bookings.claim (organization_id, unit_id, booking_id, starts_at, ends_at)
    select bench.id(1, organization, 0), unit_id, bench.id(6, organization, n), starts_at,
           starts_at + interval '30 minutes'
    from bench.load;
$$;
