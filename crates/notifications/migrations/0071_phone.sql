-- Telephone numbers to which short messages go, once a code that was sent to one has come back; short messages in the queue;
-- and what organizations have them and pushes say.

create table phone (
    organization_id uuid not null,
    user_id uuid not null,
    -- E.164; none once it was taken away, which forgets no count of codes.
    number text,
    verified_at timestamptz,
    -- SHA-256 of the code that was sent last, until it was used or is too old.
    code_digest bytea,
    code_expires_at timestamptz,
    wrong_codes integer not null default 0,
    -- Codes sent since then: so many an hour, whatever the number.
    codes integer not null,
    codes_since timestamptz not null,
    updated_at timestamptz not null default now(),
    primary key (organization_id, user_id),
    constraint phone_number check (number ~ '^\+[1-9][0-9]{6,14}$'),
    constraint phone_code check ((code_digest is null) = (code_expires_at is null))
);
call protect('phone');

-- Each channel has a queue of its own: one whose providers are away holds no other up.
drop index delivery_due;
create index delivery_due on delivery ((case channel when 'push' then 1 when 'sms' then 2 else 0 end), due_at)
    where due_at is not null;

alter table message_template
    add column sms text,
    add column push_title text,
    add column push_body text,
    add constraint message_template_short_lengths
        check (length(sms) <= 2000 and length(push_title) <= 2000 and length(push_body) <= 2000);
