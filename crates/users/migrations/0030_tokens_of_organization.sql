-- When an organization is disabled, access tokens that were minted up to then are worth nothing, in every service.

alter table organization add column tokens_from timestamptz;
create index organization_by_tokens_from on organization (tokens_from) where tokens_from is not null;
grant select (tokens_from) on organization to reservas_users_finder;
