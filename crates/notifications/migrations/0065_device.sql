-- Telephones and browsers that people are told things on, and deliveries to each of them.

create table device (
    organization_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    provider text not null,
    name text not null,
    -- SHA-256 of the organization, the provider and the token or endpoint: finds one that comes again.
    digest bytea not null,
    -- Token or subscription, sealed: who has it can write to the device.
    address bytea not null,
    created_at timestamptz not null,
    -- When it was registered the last time; apps do so at each start.
    seen_at timestamptz not null,
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint device_once unique (organization_id, digest),
    constraint device_provider check (provider in ('fcm', 'apns', 'web_push')),
    constraint device_name check (length(name) between 1 and 100)
);
create index device_of_user on device (organization_id, user_id, id);
call protect('device');

alter table delivery
    -- To which device; none for other channels. Devices come and go, deliveries tell what was.
    add column device_id uuid,
    drop constraint delivery_once_per_channel,
    add constraint delivery_once_per_channel unique nulls not distinct (organization_id, message_id, channel, device_id),
    drop constraint delivery_channel,
    add constraint delivery_channel check (channel ~ '^[a-z_]+$'),
    add constraint delivery_device check ((channel = 'push') = (device_id is not null));

-- Each channel has a queue of its own: one whose providers are away holds no other up.
drop index delivery_due;
create index delivery_due on delivery ((channel = 'push'), due_at) where due_at is not null;
do $$
declare
    finder text := 'reservas_' || current_schema() || '_finder';
begin
    execute format('grant select (channel) on delivery to %I', finder);
end $$;

-- Preferences of more than one channel.
alter table preference drop constraint preference_channel,
    add constraint preference_channel check (channel ~ '^[a-z_]+$');
alter table preference_rule drop constraint preference_rule_channel,
    add constraint preference_rule_channel check (channel ~ '^[a-z_]+$');
