-- Heat-wave readiness, one row a street and day. Spark SQL; only published inputs are visible here.
-- {business_date} and {k} are filled in by the build; person counts in 1 … k-1 leave as NULL.
WITH elders AS (
  SELECT
    street_code,
    COUNT(DISTINCT elder_id) AS persons
  FROM civil__elder_service
  WHERE month = DATE_FORMAT(DATE '{business_date}', 'yyyy-MM')
  GROUP BY street_code
),

cases AS (
  SELECT
    street_code,
    COUNT(person_id) AS persons
  FROM health__disease_case
  WHERE icd10 LIKE 'T67%'
    AND onset_date > DATE_SUB(DATE '{business_date}', 7)
    AND onset_date <= DATE '{business_date}'
  GROUP BY street_code
),

depots AS (
  SELECT
    stock.depot_id,
    MAX(stock.lon) AS lon,
    MAX(stock.lat) AS lat,
    MAX(stock.duty_phone) AS duty_phone,
    SUM(
      CASE
        WHEN item.item_code IS NOT NULL AND stock.expiry_date >= DATE '{business_date}'
          THEN stock.qty
        ELSE 0
      END
    ) AS heat_qty
  FROM emergency__depot_stock AS stock
  LEFT JOIN reference__heat_items AS item ON stock.item_code = item.item_code
  GROUP BY stock.depot_id
),

-- Great-circle distance on a sphere of 6371.0088 km (the mean radius of GRS 80).
distances AS (
  SELECT
    street.code AS street_code,
    depot.depot_id,
    depot.lon,
    depot.lat,
    depot.duty_phone,
    depot.heat_qty,
    2 * 6371.0088 * ASIN(SQRT(
      POWER(SIN(RADIANS(depot.lat - CAST(street.lat AS DOUBLE)) / 2), 2)
      + COS(RADIANS(CAST(street.lat AS DOUBLE))) * COS(RADIANS(depot.lat))
      * POWER(SIN(RADIANS(depot.lon - CAST(street.lon AS DOUBLE)) / 2), 2)
    )) AS distance_km
  FROM reference__streets AS street
  CROSS JOIN depots AS depot
),

reach AS (
  SELECT
    street_code,
    SUM(CASE WHEN distance_km <= 5 THEN heat_qty ELSE 0 END) AS supplies_in_reach
  FROM distances
  GROUP BY street_code
),

ranked AS (
  SELECT
    street_code,
    depot_id,
    lon,
    lat,
    duty_phone,
    distance_km,
    ROW_NUMBER() OVER (PARTITION BY street_code ORDER BY distance_km ASC, depot_id ASC) AS nearness
  FROM distances
)

SELECT
  street.code AS street_code,
  DATE '{business_date}' AS business_date,
  street.name AS street_name,
  street.district_code AS district_code,
  CASE
    WHEN elders.persons IS NULL THEN CAST(0 AS BIGINT)
    WHEN elders.persons < {k} THEN NULL
    ELSE elders.persons
  END AS elders_served,
  CASE
    WHEN cases.persons IS NULL THEN CAST(0 AS BIGINT)
    WHEN cases.persons < {k} THEN NULL
    ELSE cases.persons
  END AS heat_cases,
  COALESCE(reach.supplies_in_reach, 0) AS supplies_in_reach,
  ranked.depot_id AS nearest_depot_id,
  ROUND(ranked.distance_km, 3) AS nearest_depot_km,
  ranked.lon AS nearest_depot_lon,
  ranked.lat AS nearest_depot_lat,
  ranked.duty_phone AS duty_phone,
  COALESCE(elders.persons < {k}, FALSE) OR COALESCE(cases.persons < {k}, FALSE) AS suppressed
FROM reference__streets AS street
LEFT JOIN elders ON street.code = elders.street_code
LEFT JOIN cases ON street.code = cases.street_code
LEFT JOIN reach ON street.code = reach.street_code
LEFT JOIN ranked ON street.code = ranked.street_code AND ranked.nearness = 1
