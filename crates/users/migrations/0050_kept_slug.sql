-- A slug that an organization had once stays its own: whoever still signs in or registers with it comes to that
-- organization or to none, never to another.

create table kept_slug (
    organization_id uuid not null,
    slug text not null,
    constraint kept_slug_pkey primary key (organization_id, slug),
    constraint kept_slug_organization foreign key (organization_id) references organization (organization_id),
    -- A rule that spans organizations, as that of host names.
    constraint kept_slug_taken unique (slug)
);
-- Row-level security is forced on the owner as well; the rows of all organizations are read this once.
alter table organization no force row level security;
insert into kept_slug (organization_id, slug) select organization_id, slug from organization;
alter table organization force row level security;
call protect('kept_slug', 'select, insert');
