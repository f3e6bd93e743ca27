-- Which messages a person has seen.

alter table message add column read_at timestamptz;
create index message_unread on message (organization_id, user_id, id) where read_at is null;
