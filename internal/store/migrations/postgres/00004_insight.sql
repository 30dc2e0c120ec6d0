-- +goose Up
-- Where a credential was last used from, and for what: kept with the time.
ALTER TABLE credential ADD COLUMN last_used_from TEXT;
ALTER TABLE credential ADD COLUMN last_used_route TEXT;

-- The few with limits of their own, and the few clients, among a hundred thousand keys.
CREATE INDEX credential_limited ON credential (organization, created_at, id) WHERE limits IS NOT NULL;
CREATE INDEX credential_client ON credential (organization, id) WHERE kind = 'client';

CREATE INDEX audit_event_actor ON audit_event (actor_id, seq);

-- The log of one organization, and its errors, without a look at those of all others.
CREATE INDEX request_log_organization ON request_log (organization, at, request_id);
CREATE INDEX request_log_errors ON request_log (organization, at, request_id, status, reason, method, route, credential)
  WHERE status >= 400;

-- Usage added up again: by credential and day, and without credentials by hour and by day.
-- What an organization with many keys did is told without a look at every key.
CREATE TABLE usage_daily (
  credential   TEXT   NOT NULL,
  day          BIGINT NOT NULL,
  organization TEXT   NOT NULL,
  environment  TEXT   NOT NULL,
  requests     BIGINT NOT NULL,
  denied       BIGINT NOT NULL,
  limited      BIGINT NOT NULL,
  bytes_out    BIGINT NOT NULL,
  latency_us   BIGINT NOT NULL,
  PRIMARY KEY (credential, day)
);
CREATE INDEX usage_daily_most ON usage_daily (organization, day, requests);
CREATE INDEX usage_daily_day ON usage_daily (day);
INSERT INTO usage_daily (credential, day, organization, environment, requests, denied, limited, bytes_out, latency_us)
SELECT credential, hour / 86400000000 * 86400000000, max(organization), max(environment), CAST(sum(requests) AS BIGINT),
  CAST(sum(CASE WHEN reason IN ('allowed', 'upstream_failed', 'upstream_timeout') THEN 0 ELSE requests END) AS BIGINT),
  CAST(sum(CASE WHEN reason IN ('rate_limited', 'quota_exceeded') THEN requests ELSE 0 END) AS BIGINT), CAST(sum(bytes_out) AS BIGINT), CAST(sum(latency_us) AS BIGINT)
FROM usage_hourly WHERE credential <> '' GROUP BY 1, 2;

CREATE TABLE usage_total (
  organization TEXT   NOT NULL,
  hour         BIGINT NOT NULL,
  environment  TEXT   NOT NULL,
  route        TEXT   NOT NULL,
  status_class BIGINT NOT NULL,
  reason       TEXT   NOT NULL,
  requests     BIGINT NOT NULL,
  bytes_out    BIGINT NOT NULL,
  latency_us   BIGINT NOT NULL,
  PRIMARY KEY (organization, hour, environment, route, status_class, reason)
);
CREATE INDEX usage_total_hour ON usage_total (hour);
INSERT INTO usage_total (organization, hour, environment, route, status_class, reason, requests, bytes_out, latency_us)
SELECT organization, hour, environment, route, status_class, reason, CAST(sum(requests) AS BIGINT), CAST(sum(bytes_out) AS BIGINT), CAST(sum(latency_us) AS BIGINT)
FROM usage_hourly GROUP BY 1, 2, 3, 4, 5, 6;

CREATE TABLE usage_total_daily (
  organization TEXT   NOT NULL,
  day          BIGINT NOT NULL,
  environment  TEXT   NOT NULL,
  route        TEXT   NOT NULL,
  status_class BIGINT NOT NULL,
  reason       TEXT   NOT NULL,
  requests     BIGINT NOT NULL,
  bytes_out    BIGINT NOT NULL,
  latency_us   BIGINT NOT NULL,
  PRIMARY KEY (organization, day, environment, route, status_class, reason)
);
CREATE INDEX usage_total_daily_day ON usage_total_daily (day);
INSERT INTO usage_total_daily (organization, day, environment, route, status_class, reason, requests, bytes_out, latency_us)
SELECT organization, hour / 86400000000 * 86400000000, environment, route, status_class, reason, CAST(sum(requests) AS BIGINT), CAST(sum(bytes_out) AS BIGINT), CAST(sum(latency_us) AS BIGINT)
FROM usage_hourly GROUP BY 1, 2, 3, 4, 5, 6;
