-- Which provider each attempt went to, failed deliveries that can be sent again, and addresses that take no mail.

alter table attempt
    -- One attempt may ask a second provider, when the first is away.
    add column provider text not null default 'earlier',
    -- The mail's `Message-ID`; none when no provider was asked.
    add column message_id text,
    drop constraint attempt_pkey,
    add primary key (organization_id, delivery_id, number, provider),
    drop constraint attempt_outcome,
    add constraint attempt_outcome check (outcome in ('sent', 'passing', 'permanent', 'no_such_address', 'away', 'unsure'));
alter table attempt alter column provider drop default;

alter table delivery
    -- Attempts of earlier rounds: sending again what had failed begins a new one.
    add column spent integer not null default 0,
    add column failed_at timestamptz;
create index delivery_failed on delivery (organization_id, id) where state = 'failed';

create table suppression (
    organization_id uuid not null,
    id uuid not null,
    -- SHA-256 of the organization and the address: addresses themselves are not kept here.
    digest bytea not null,
    reason text not null,
    -- Whose mail was refused, or whose address somebody put in.
    user_id uuid,
    created_at timestamptz not null,
    primary key (organization_id, id),
    constraint suppression_once unique (organization_id, digest),
    constraint suppression_reason check (reason in ('no_such_address', 'manual'))
);
call protect('suppression', 'select, insert, delete');
