-- Credit that people pay bookings with: a ledger that is only ever added to. What somebody has is the sum of it.

create table credit_entry (
    organization_id uuid not null,
    id bigint generated always as identity,
    user_id uuid not null,
    kind text not null,
    -- Minor units, negative when it is spent; with a currency (ISO 4217).
    amount bigint not null,
    currency text not null,
    booking_id uuid,
    reason text,
    -- None when the clock did it.
    created_by uuid,
    created_at timestamptz not null,
    constraint credit_entry_pkey primary key (organization_id, id),
    constraint credit_entry_kind check (kind in ('grant', 'charge', 'refund')),
    constraint credit_entry_sign check (case kind when 'charge' then amount < 0 else amount > 0 end),
    constraint credit_entry_currency check (currency ~ '^[A-Z]{3}$'),
    constraint credit_entry_of check ((kind = 'grant') = (booking_id is null)),
    constraint credit_entry_booking foreign key (organization_id, booking_id) references booking (organization_id, id)
);
create index credit_entry_by_user on credit_entry (organization_id, user_id, currency) include (amount);
create index credit_entry_newest on credit_entry (organization_id, user_id, id desc);
create index credit_entry_by_booking on credit_entry (organization_id, booking_id);
call protect('credit_entry', 'select, insert');
