-- What a person did, for the archive of what is held about them and for the audit trail of one person.

create index event_by_actor on event (organization_id, actor_id, occurred_at) where actor_id is not null;
