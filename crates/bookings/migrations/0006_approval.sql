-- Who decided what on a request, and who decides for whom while they are away.

create table decision (
    organization_id uuid not null,
    booking_id uuid not null,
    -- The round of asking: a request that changes is asked anew.
    round int not null,
    step int not null,
    -- Whose word it is; given by a delegate in their place.
    approver_id uuid not null,
    given_by uuid not null,
    approved boolean not null,
    reason text,
    created_at timestamptz not null,
    constraint decision_pkey primary key (organization_id, booking_id, round, step, approver_id),
    constraint decision_booking foreign key (organization_id, booking_id) references booking (organization_id, id)
);
call protect('decision', 'select, insert');

create table delegation (
    organization_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    delegate_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    created_at timestamptz not null,
    constraint delegation_pkey primary key (organization_id, id),
    constraint delegation_slot check (starts_at < ends_at),
    constraint delegation_to_another check (user_id <> delegate_id)
);
create index delegation_by_delegate on delegation (organization_id, delegate_id, ends_at);
create index delegation_by_user on delegation (organization_id, user_id, ends_at);
call protect('delegation', 'select, insert, delete');
