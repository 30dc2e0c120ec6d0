-- +goose Up
-- The company's own people: one organization at most, which the index holds.
ALTER TABLE organization ADD COLUMN staff INTEGER CHECK (staff = 1);
CREATE UNIQUE INDEX organization_staff ON organization (staff) WHERE staff IS NOT NULL;

-- Who has never signed in was invited, and has not come.
ALTER TABLE member ADD COLUMN signed_in_at INTEGER;
UPDATE member SET signed_in_at = COALESCE(
  (SELECT max(created_at) FROM session WHERE session.member = member.id),
  (SELECT changed_at FROM password WHERE password.member = member.id));

-- A link may lead on to a page; one that makes the first member has none yet.
ALTER TABLE one_time_link ADD COLUMN onward TEXT NOT NULL DEFAULT '';
CREATE INDEX one_time_link_nobody ON one_time_link (purpose) WHERE member IS NULL;

-- Lists of credentials are searched, narrowed and sorted within this index alone.
CREATE INDEX credential_list ON credential (organization, created_at, id, folded, kind, environment,
  member, expires_at, disabled_at, revoked_at, last_used_at);
DROP INDEX credential_organization;
CREATE INDEX credential_secret_tail ON credential_secret (substr(hint, length(hint) - 3));
