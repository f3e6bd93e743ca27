-- People whose account was removed, and of whom this service still has to forget what it knows: a row is work to do.

create table erasure (
    organization_id uuid not null,
    user_id uuid not null,
    -- A request that read a moment before that the account is open may write yet: the row stays until that is long over.
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint erasure_pkey primary key (organization_id, user_id)
);
call protect('erasure');
create policy finder on erasure for select to reservas_bookings_finder using (true);
grant select (organization_id, user_id) on erasure to reservas_bookings_finder;

-- Ledgers that are only added to: of what stands in them, the words alone are forgotten.
grant update (reason) on decision to reservas_bookings;
grant update (reason) on credit_entry to reservas_bookings;

-- Who was removed before this service forgot anybody.
alter table account no force row level security;
alter table erasure no force row level security;
insert into erasure (organization_id, user_id)
select organization_id, id from account where not active and version = 9223372036854775807;
alter table account force row level security;
alter table erasure force row level security;
