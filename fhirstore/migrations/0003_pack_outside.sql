-- outside counts the rows of a pack that are in no patient's compartment.
ALTER TABLE pack ADD COLUMN outside INTEGER NOT NULL DEFAULT 0;
UPDATE pack SET outside = (
  SELECT count(*) FROM resource r
  WHERE r.type = pack.type AND r.live = 1 AND r.pack = pack.pack
    AND NOT EXISTS (SELECT 1 FROM compartment c WHERE c.rid = r.rid));
