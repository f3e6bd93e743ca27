-- What people want to be told by mail, when not to be disturbed, and what their organization says about it.

create table preference (
    organization_id uuid not null,
    user_id uuid not null,
    kind text not null,
    channel text not null default 'email',
    is_wanted boolean not null,
    updated_at timestamptz not null default now(),
    primary key (organization_id, user_id, kind, channel),
    constraint preference_kind check (kind in ('booking_confirmed', 'booking_moved', 'booking_cancelled')),
    constraint preference_channel check (channel = 'email')
);
call protect('preference');

-- What holds for those who have said nothing; fixed: for all.
create table preference_rule (
    organization_id uuid not null,
    kind text not null,
    channel text not null default 'email',
    is_wanted boolean not null,
    is_fixed boolean not null,
    updated_at timestamptz not null default now(),
    primary key (organization_id, kind, channel),
    constraint preference_rule_kind check (kind in ('booking_confirmed', 'booking_moved', 'booking_cancelled')),
    constraint preference_rule_channel check (channel = 'email')
);
call protect('preference_rule');

-- Minutes after midnight in the person's zone, over midnight where the end is the smaller.
create table quiet_hours (
    organization_id uuid not null,
    user_id uuid not null,
    from_minute smallint not null,
    until_minute smallint not null,
    updated_at timestamptz not null default now(),
    primary key (organization_id, user_id),
    constraint quiet_hours_minutes check (from_minute between 0 and 1439 and until_minute between 0 and 1439
        and from_minute <> until_minute)
);
call protect('quiet_hours');

-- What the link in a person's mails proves: that somebody has one of them.
create table unsubscribe_key (
    organization_id uuid not null,
    user_id uuid not null,
    key bytea not null,
    primary key (organization_id, user_id)
);
call protect('unsubscribe_key');
