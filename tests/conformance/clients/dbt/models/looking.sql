{{ config(materialized='view', enabled=var('with_view')) }}
select 1 as id
