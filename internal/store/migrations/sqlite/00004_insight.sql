-- +goose Up
-- Where a credential was last used from, and for what: kept with the time.
ALTER TABLE credential ADD COLUMN last_used_from TEXT;
ALTER TABLE credential ADD COLUMN last_used_route TEXT;

-- The few with limits of their own, and the few clients, among a hundred thousand keys.
CREATE INDEX credential_limited ON credential (organization, created_at, id) WHERE limits IS NOT NULL;
CREATE INDEX credential_client ON credential (organization, id) WHERE kind = 'client';

CREATE INDEX audit_event_actor ON audit_event (actor_id, seq);
