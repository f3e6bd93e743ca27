-- Who is invited to a booking: users, or people outside by their address. Personal data: it is in no event.

create table booking_guest (
    organization_id uuid not null,
    booking_id uuid not null,
    position int not null,
    user_id uuid,
    email text,
    name text,
    constraint booking_guest_pkey primary key (organization_id, booking_id, position),
    constraint booking_guest_booking foreign key (organization_id, booking_id) references booking (organization_id, id),
    constraint booking_guest_user unique (organization_id, booking_id, user_id),
    constraint booking_guest_is_somebody check (num_nonnulls(user_id, email) = 1),
    constraint booking_guest_name check (name is null or user_id is null)
);
create index booking_guest_by_user on booking_guest (organization_id, user_id, booking_id) where user_id is not null;
call protect('booking_guest');
