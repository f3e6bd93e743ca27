-- Where the request that caused an event stood in its trace (W3C Trace Context): what handles the event goes on there. Not
-- part of what the event says, so not of its hash either.

alter table event add column traceparent text;
