-- Who sees a resource stands in the rules; where no rules of an organization say so, nothing has to be looked at.
alter table rules add column see jsonb generated always as (rules #> '{policy,access,see}') stored;
create index rules_see on rules (organization_id) where see is not null;

-- The service's own copy of who is in which group, kept current by the feed of the user service: rules name groups. Of who
-- was removed the id alone stays, so that nothing older comes after it.
create table account (
    organization_id uuid not null,
    id uuid not null,
    version bigint not null,
    groups uuid[] not null,
    constraint account_pkey primary key (organization_id, id)
);
call protect('account', 'select, insert, update');

-- Whether a resource is there for somebody: nothing that hides from them lies over it (the organization, types, places with
-- all below them, resources), or it is in a place that they manage. The one place where this service decides that.
create function sees(organization uuid, id uuid, type_id uuid, location_id uuid, hidden uuid[], places uuid[])
returns boolean language sql immutable as $$
    select not (array[organization, id, type_id] && hidden) and coalesce(location_id <> all(hidden), true)
        or coalesce(location_id = any(places), false)
$$;
