-- +goose Up
-- The company's own people: one organization at most, which the index holds.
ALTER TABLE organization ADD COLUMN staff BIGINT CHECK (staff = 1);
CREATE UNIQUE INDEX organization_staff ON organization (staff) WHERE staff IS NOT NULL;

-- Who has never signed in was invited, and has not come.
ALTER TABLE member ADD COLUMN signed_in_at BIGINT;
UPDATE member SET signed_in_at = COALESCE(
  (SELECT max(created_at) FROM session WHERE session.member = member.id),
  (SELECT changed_at FROM password WHERE password.member = member.id));

-- A link may lead on to a page; one that makes the first member has none yet.
ALTER TABLE one_time_link ADD COLUMN onward TEXT NOT NULL DEFAULT '';
CREATE INDEX one_time_link_nobody ON one_time_link (purpose) WHERE member IS NULL;

-- Lists of credentials are searched and narrowed within credential_list alone, which has
-- what decides most rows in front; the others are for an order and nothing else.
-- scope_mask has a bit for each scope: see scopeMask.
ALTER TABLE credential ADD COLUMN scope_mask BIGINT;
CREATE INDEX credential_list ON credential (organization, created_at, id, revoked_at, disabled_at, expires_at,
  kind, environment, member, scope_mask, folded, last_used_at);
CREATE INDEX credential_by_name ON credential (organization, folded, id, kind, environment);
CREATE INDEX credential_by_use ON credential (organization, (COALESCE(last_used_at, 0)), id, kind, environment);
CREATE INDEX credential_by_end ON credential (organization, (COALESCE(expires_at, 9223372036854775807)), id, kind, environment);
DROP INDEX credential_organization;
CREATE INDEX credential_secret_tail ON credential_secret (substr(hint, length(hint) - 3));
