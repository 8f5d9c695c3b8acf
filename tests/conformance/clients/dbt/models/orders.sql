{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id', on_schema_change='append_new_columns',
          partition_by={'field': 'changed', 'data_type': 'timestamp', 'granularity': 'day'}, cluster_by=['id'],
          labels={'team': 'sales'}) }}
select id, customer, amount, changed {% if var('with_note') %}, concat('order ', id) as note {% endif %}
from {{ source('mirror', 'orders') }}
{% if is_incremental() %} where changed > (select max(changed) from {{ this }}) {% endif %}
