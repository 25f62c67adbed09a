SELECT 1 AS case_id
