-- How conflicts ended: refused, an alternative taken, waitlisted, pre-empted, flagged, resolved.

create table conflict (
    organization_id uuid not null,
    id uuid not null,
    kind text not null,
    resolution text not null,
    user_id uuid,
    -- The booking that won, or that no longer fits.
    booking_id uuid,
    resources uuid[] not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    rivals uuid[] not null,
    broken jsonb not null default '[]',
    detail text,
    created_at timestamptz not null,
    resolved_at timestamptz,
    resolved_by uuid,
    constraint conflict_pkey primary key (organization_id, id),
    constraint conflict_kind check (kind in ('slot_taken', 'policy', 'resource_changed', 'rules_changed', 'blackout')),
    constraint conflict_resolution check (resolution in ('refused', 'alternative_taken', 'waitlisted', 'pre_empted',
                                                         'open', 'resolved_by_manager', 'resolved_by_itself'))
);
create index conflict_by_time on conflict (organization_id, created_at, id);
create index conflict_open on conflict (organization_id, booking_id) where resolution = 'open';
call protect('conflict', 'select, insert, update');
