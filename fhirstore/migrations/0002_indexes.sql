-- The secondary indexes, apart from the tables: a population is written first
-- and indexed once it is complete.
CREATE INDEX resource_extent ON resource(type, live, pack, off, seq, len, at, org);
CREATE INDEX resource_type ON resource(type, live);
CREATE INDEX resource_at ON resource(type, at);
CREATE UNIQUE INDEX version_of ON version(rid, vid);
CREATE INDEX compartment_of ON compartment(rid);
CREATE INDEX member_of ON member(rid);
CREATE INDEX ix_token_value ON ix_token(param, code, rid, system);
CREATE INDEX ix_string_value ON ix_string(param, norm, rid);
CREATE INDEX ix_ref_value ON ix_ref(param, target, rid);
CREATE INDEX ix_uri_value ON ix_uri(param, value, rid);
CREATE INDEX ix_number_value ON ix_number(param, lo, hi, rid);
CREATE INDEX ix_date_value ON ix_date(param, span, lo, hi, rid);
