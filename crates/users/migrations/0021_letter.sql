-- What is mailed about accounts: to verify an address, to invite. The secret of a link is made when the mail is written
-- and stands in the mail alone; here is its hash.

-- Whoever is there already was let in without: only new addresses have to be verified.
alter table account add column email_verified boolean not null default true;
alter table account alter column email_verified drop default;

create table invitation (
    organization_id uuid not null,
    id uuid not null,
    email text not null,
    name text not null,
    role text not null,
    groups uuid[] not null,
    invited_by uuid not null,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    constraint invitation_pkey primary key (organization_id, id),
    constraint invitation_organization foreign key (organization_id) references organization (organization_id),
    -- Whoever is invited again gets a new link, and the old one opens nothing.
    constraint invitation_email unique (organization_id, email),
    constraint invitation_role check (role in ('user', 'manager', 'admin'))
);
call protect('invitation', 'select, insert, delete');

create table letter (
    organization_id uuid not null,
    id uuid not null,
    kind text not null,
    user_id uuid,
    invitation_id uuid,
    -- SHA-256 of the link's token, which is random; of the last one when the mail was written more than once.
    hash bytea,
    -- From when on it is neither sent nor accepted.
    expires_at timestamptz not null,
    created_at timestamptz not null,
    constraint letter_pkey primary key (organization_id, id),
    constraint letter_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint letter_invitation foreign key (organization_id, invitation_id)
        references invitation (organization_id, id) on delete cascade,
    constraint letter_is_to_somebody check ((user_id is null) <> (invitation_id is null)),
    constraint letter_kind check (kind in ('email_verification', 'invitation', 'registration_repeated')),
    constraint letter_hash_is_sha256 check (length(hash) = 32)
);
create index letter_by_user on letter (organization_id, user_id, kind, created_at);
call protect('letter');
