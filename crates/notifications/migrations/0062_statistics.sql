-- What was sent in some days.
create index delivery_by_time on delivery (organization_id, created_at);
