-- The owner's overview: quotas of what the building uses (8.4.8c), and what people think of finished work (7.2.4c).

-- One row a month; quarters and years are sums of months. A year without rows keeps those of the last year that has any.
CREATE TABLE quota (
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    medium      text NOT NULL CHECK (medium IN ('electricity', 'water', 'gas', 'heat')),
    year        int NOT NULL CHECK (year BETWEEN 2000 AND 2200),
    month       int NOT NULL CHECK (month BETWEEN 1 AND 12),
    amount      float8 NOT NULL CHECK (amount > 0),      -- kWh (electricity, heat) or m3 (water, gas)
    set_by      text NOT NULL,
    set_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (building_id, medium, year, month)
);
SELECT limit_rows('quota', in_scope('reading', 'building_id'));

-- One opinion of each account on each order whose work is done.
CREATE TABLE work_order_rating (
    work_order_id uuid NOT NULL REFERENCES work_order ON DELETE CASCADE,
    rated_by      text NOT NULL,                         -- account name
    stars         smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    comment       text,
    rated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work_order_id, rated_by)
);
SELECT limit_rows('work_order_rating', 'EXISTS (SELECT FROM work_order w WHERE w.id = work_order_id)');
