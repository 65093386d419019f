-- The classes of span, with the widest range of each in milliseconds. Beside
-- those of the first script there are up to ten years (4) and longer (5), and the
-- same from 6 on for values of resources that have several of the parameter: in
-- the others, two comparisons with one parameter are with one value.
CREATE TABLE spans(class INTEGER PRIMARY KEY, width INTEGER NOT NULL);
INSERT INTO spans VALUES
  (0, 1000), (1, 86400000), (2, 2678400000), (3, 31622400000), (4, 316224000000), (5, 4611686018427387902),
  (6, 1000), (7, 86400000), (8, 2678400000), (9, 31622400000), (10, 316224000000), (11, 4611686018427387902);
