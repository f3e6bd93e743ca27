-- Keys follow one another: each is shown in the key set before it signs, and stays there until nothing that it signed can
-- still be valid.

drop index signing_key_one_active;
alter table signing_key drop column active, add column signs_from timestamptz not null default 'epoch';
alter table signing_key alter column signs_from drop default;
grant update (expires_at) on signing_key to reservas_users;
