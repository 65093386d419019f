-- Values of composite parameters. A row is one pair of values that one element
-- of a resource has: a token (head) with what the parameter names beside it,
-- which has the columns of its kind's own table, so that both are bounds of one
-- index. A composite of three parts has a number as its third (last).
-- ix_token_token has the identifiers of token parameters, too: head is a coding
-- of Identifier.type, and the token is the identifier.
CREATE TABLE ix_token_token(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, head_code TEXT NOT NULL COLLATE NOCASE, head_system TEXT NOT NULL,
  code TEXT NOT NULL COLLATE NOCASE, system TEXT NOT NULL,
  PRIMARY KEY(rid, param, head_code, head_system, code, system)) WITHOUT ROWID;
CREATE TABLE ix_token_string(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, head_code TEXT NOT NULL COLLATE NOCASE, head_system TEXT NOT NULL,
  norm TEXT NOT NULL, exact TEXT NOT NULL,
  PRIMARY KEY(rid, param, head_code, head_system, norm, exact)) WITHOUT ROWID;
CREATE TABLE ix_token_ref(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, head_code TEXT NOT NULL COLLATE NOCASE, head_system TEXT NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY(rid, param, head_code, head_system, target)) WITHOUT ROWID;
CREATE TABLE ix_token_number(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, head_code TEXT NOT NULL COLLATE NOCASE, head_system TEXT NOT NULL,
  lo REAL NOT NULL, hi REAL NOT NULL, system TEXT NOT NULL, code TEXT NOT NULL, unit TEXT NOT NULL,
  last_lo REAL NOT NULL, last_hi REAL NOT NULL,
  PRIMARY KEY(rid, param, head_code, head_system, lo, hi, system, code, unit, last_lo, last_hi)) WITHOUT ROWID;
CREATE TABLE ix_token_date(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, head_code TEXT NOT NULL COLLATE NOCASE, head_system TEXT NOT NULL,
  span INTEGER NOT NULL, lo INTEGER NOT NULL, hi INTEGER NOT NULL,
  PRIMARY KEY(rid, param, head_code, head_system, span, lo, hi)) WITHOUT ROWID;

CREATE INDEX ix_token_token_value ON ix_token_token(param, head_code, code, rid);
CREATE INDEX ix_token_string_value ON ix_token_string(param, head_code, norm, rid);
CREATE INDEX ix_token_ref_value ON ix_token_ref(param, head_code, target, rid);
CREATE INDEX ix_token_number_value ON ix_token_number(param, head_code, lo, hi, rid);
CREATE INDEX ix_token_date_value ON ix_token_date(param, head_code, span, lo, hi, rid);

-- Few values have two ends; those that have reach beyond a bound on lo.
CREATE INDEX ix_number_wide ON ix_number(param, hi, rid) WHERE lo < hi;
CREATE INDEX ix_token_number_wide ON ix_token_number(param, head_code, hi, rid) WHERE lo < hi;
