-- What has run out is deleted by the clock, in whatever organization: where there is some is found by the times alone.

grant delete on api_key to reservas_users;
grant select (organization_id, expires_at, idle_until) on session to reservas_users_finder;
grant select (organization_id, expires_at) on api_key to reservas_users_finder;
create policy finder on refresh_token for select to reservas_users_finder using (true);
grant select (organization_id, used_at) on refresh_token to reservas_users_finder;
create policy finder on letter for select to reservas_users_finder using (true);
grant select (organization_id, expires_at) on letter to reservas_users_finder;
create policy finder on password_reset for select to reservas_users_finder using (true);
grant select (organization_id, expires_at) on password_reset to reservas_users_finder;
create policy finder on sign_in_challenge for select to reservas_users_finder using (true);
grant select (organization_id, expires_at) on sign_in_challenge to reservas_users_finder;
create policy finder on invitation for select to reservas_users_finder using (true);
grant select (organization_id, expires_at) on invitation to reservas_users_finder;

-- A session may be continued so often a minute: the tokens of the last one are counted.
create index refresh_token_by_time on refresh_token (organization_id, session_id, created_at);

-- Which signing keys were withdrawn is told with the sessions that are over.
create policy finder on signing_key for select to reservas_users_finder using (true);
grant select (id, expires_at) on signing_key to reservas_users_finder;

-- The feed of what was revoked goes on within one instant by the id.
drop index session_by_end;
create index session_by_end on session (ended_at, id) where ended_at is not null;
drop index session_by_tokens_from;
create index session_by_tokens_from on session (tokens_from, id) where tokens_from is not null;
drop index api_key_by_revocation;
create index api_key_by_revocation on api_key (revoked_at, id) where revoked_at is not null;
drop index api_key_by_tokens_from;
create index api_key_by_tokens_from on api_key (tokens_from, id) where tokens_from is not null;
