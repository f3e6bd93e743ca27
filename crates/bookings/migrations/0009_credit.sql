-- What users may spend on bookings. The check is the last word: two bookings at once cannot spend the same credit.

create table credit (
    organization_id uuid not null,
    user_id uuid not null,
    currency text not null,
    balance bigint not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint credit_pkey primary key (organization_id, user_id, currency),
    constraint credit_covers check (balance >= 0)
);
call protect('credit', 'select, insert, update');

create table credit_entry (
    organization_id uuid not null,
    user_id uuid not null,
    currency text not null,
    id uuid not null,
    amount bigint not null,
    booking_id uuid,
    reason text,
    actor_id uuid,
    created_at timestamptz not null,
    constraint credit_entry_pkey primary key (organization_id, user_id, currency, id),
    constraint credit_entry_credit foreign key (organization_id, user_id, currency)
        references credit (organization_id, user_id, currency)
);
call protect('credit_entry', 'select, insert');
