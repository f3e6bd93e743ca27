-- The places and people that a manager is limited to; null for the whole organization.
alter table account add column remit jsonb;

-- Whether what is somebody's, on some resources, belongs to a remit: they are in one of its groups, or all the resources
-- are in its locations.
create function is_within(organization uuid, owner uuid, resources uuid[], locations uuid[], groups uuid[]) returns boolean
language sql stable as $$
    select exists (select from bookings.membership m
                   where m.organization_id = organization and m.user_id = owner and m.group_id = any(groups))
        or (cardinality(resources) > 0
            and (select count(*) from bookings.resource r
                 where r.organization_id = organization and r.id = any(resources) and r.location_path && locations)
                = (select count(distinct id) from unnest(resources) id))
$$;
