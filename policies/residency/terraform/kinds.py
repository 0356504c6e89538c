"""Kinds of planned resources: which hold nothing, which store, which are global, which take the provider's region."""

import re
from collections.abc import Mapping
from typing import Any

HARMLESS_PROVIDERS = frozenset(
    {"random", "null", "tls", "local", "time", "archive", "external", "template", "http", "terraform", "cloudinit"}
)
_HOLDS_NOTHING = re.compile(
    r"aws_(iam|vpc|subnet|route|route53|security_group|internet_gateway|nat_gateway|eip|acm|kms|network|default|lb|alb|"
    r"autoscaling_policy|appautoscaling|cloudwatch_metric_alarm|cloudwatch_event(?!_archive|_target|_endpoint|_bus|_api_destination)|key_pair|flow_log|budgets|caller|"
    r"db_subnet_group|db_parameter_group|rds_cluster_parameter_group|elasticache_subnet_group|"
    r"elasticache_parameter_group|s3_bucket_(versioning|policy|acl|ownership|public|server_side|lifecycle|cors|logging|"
    r"metric|notification|website|request|accelerate|intelligent|analytics)|s3_account_public|placement_group|"
    r"launch_template|backup_selection|backup_vault_policy|ecs_cluster_capacity|eks_addon|vpn|customer_gateway|"
    r"organizations|resourcegroups|service_discovery|volume_attachment|lambda_permission|ssoadmin|wafv2)(_.*)?"
    r"|google_(project|compute_(network|(region_)?instance_template|subnetwork|firewall|router|address|global|route|"
    r"ssl|target|url_map|backend|forwarding|health|http|managed_ssl)|service_account|service_networking|dns|kms|organization|folder|iam|"
    r"storage_bucket_iam|sql_user|sql_ssl|monitoring|billing|secret_manager_secret_iam|.*_iam_(member|binding|policy))"
    r"(_.*)?"
    r"|azurerm_(resource_group(?!_template)|virtual_network|subnet|network|public_ip|role|user_assigned|dns|private|key_vault_access|"
    r"key_vault_key|management_lock|policy|monitor(?!_workspace)|route|nat_gateway|.*_firewall_rule|consumption|lb)(_.*)?"
)
_STORES = re.compile(
    r"aws_(s3_bucket|db_instance|rds_cluster|dynamodb_table|elasticache|efs|ebs|redshift|docdb|neptune|opensearch|"
    r"elasticsearch|kinesis|sqs|sns|timestream|memorydb|secretsmanager|ssm_parameter|cloudwatch_log|backup_vault|fsx|"
    r"glacier|msk|qldb|keyspaces|cloudtrail|athena|glue)"
    r"|google_(storage|sql|bigquery|bigtable|spanner|firestore|datastore|redis|filestore|pubsub|secret_manager|"
    r"compute_disk|compute_snapshot|alloydb|logging)"
    r"|azurerm_(storage|mssql|postgresql|mysql|mariadb|cosmosdb|redis|managed_disk|data|key_vault|log_analytics|"
    r"eventhub|servicebus|search|kusto|synapse|recovery|container_registry)"
)
# Delivered from everywhere, or a template whose resources a plan does not hold: a location these state is where their
# settings are kept.
_GLOBAL = re.compile(
    r"aws_(cloudfront|globalaccelerator).*|azurerm_(cdn_|frontdoor).*"
    r"|google_compute_(backend_(bucket|service)|url_map).*|google_(firebase_hosting|identity_platform).*"
    r"|azurerm_(.*_)?template_deployment"
)
# The services of AWS that are regional. A type of none of them takes no region from its provider: many are global.
_AWS_REGIONAL = re.compile(
    r"aws_(accessanalyzer|acmpca|ami|amplify|api_gateway|apigatewayv2|appconfig|appfabric|appflow|appintegrations|"
    r"applicationinsights|appmesh|apprunner|appstream|appsync|athena|auditmanager|autoscaling|backup|batch|bedrock|"
    r"bedrockagent|bedrockagentcore|chimesdkmediapipelines|cleanrooms|cloud9|cloudformation|cloudhsm_v2|cloudsearch|"
    r"cloudtrail|cloudwatch|codeartifact|codebuild|codecommit|codedeploy|codepipeline|cognito|comprehend|config|connect|"
    r"connectcases|customerprofiles|databrew|dataexchange|datapipeline|datasync|datazone|dax|db|detective|"
    r"devopsguru|directory_service|dlm|dms|docdb|docdbelastic|drs|dsql|dx|dynamodb|ebs|ec2|ecr|ecs|efs|eks|"
    r"elastic_beanstalk|elasticache|elasticsearch|elastictranscoder|elb|emr|emrcontainers|emrserverless|evidently|"
    r"finspace|fis|fsx|gamelift|glacier|glue|grafana|guardduty|healthlake|imagebuilder|inspector|inspector2|instance|"
    r"internetmonitor|iot|ivs|ivschat|kendra|keyspaces|kinesis|kinesisanalyticsv2|lakeformation|lambda|launch|lex|"
    r"lexv2models|lightsail|location|m2|macie2|media_convert|media_package|media_store|medialive|memorydb|mq|msk|"
    r"mskconnect|mwaa|neptune|neptunegraph|networkfirewall|oam|opensearch|opensearchserverless|osis|pinpoint|"
    r"pinpointsmsvoicev2|pipes|prometheus|qbusiness|qldb|quicksight|rds|redshift|redshiftdata|redshiftserverless|"
    r"rekognition|rum|s3|s3control|s3tables|s3vectors|sagemaker|scheduler|schemas|secretsmanager|securityhub|"
    r"securitylake|servicecatalog|ses|sesv2|sfn|simpledb|snapshot|sns|spot|sqs|ssm|ssmcontacts|ssmincidents|"
    r"storagegateway|swf|synthetics|timestreaminfluxdb|timestreamwrite|transcribe|transfer|verifiedpermissions|volume|"
    r"workmail|workspaces|workspacesweb|xray)(_.*)?"
)
_AWS_ACROSS_REGIONS = re.compile(r"aws_.*_(global|multi_region)_.*|aws_lightsail_(distribution|domain).*")
# The types of Google that have a region, or zone, argument of their own which defaults to the provider's.
_GOOGLE_REGIONAL = re.compile(
    r"google_(sql_database_instance|sql_source_representation_instance|redis_(instance|cluster)|memcache_instance|"
    r"dataproc_(cluster|job|autoscaling_policy|workflow_template)|dataflow_(flex_template_)?job|cloudfunctions_function|"
    r"composer_environment|vpc_access_connector|cloud_scheduler_job|compute_region_.*|compute_resource_policy|"
    r"compute_packet_mirroring|vertex_ai_(dataset|endpoint|featurestore|index|index_endpoint|tensorboard)|"
    r"data_fusion_instance|pubsub_lite_(topic|subscription|reservation)|data_catalog_(entry_group|tag_template)|"
    r"workflows_workflow|dataform_repository|looker_instance)"
)
_GOOGLE_ZONAL = re.compile(
    r"google_(compute_(instance|disk|instance_group|instance_group_manager|autoscaler|attached_disk|"
    r"instance_from_template|node_group|network_endpoint_group)|tpu_node|tpu_v2_vm)"
)


def holds_nothing(resource_type: str, values: Mapping[str, Any]) -> bool:
    """Return whether a type is known to hold no data; with a cache of content in front, it does."""
    return bool(_HOLDS_NOTHING.fullmatch(resource_type)) and not values.get("enable_cdn")


def is_store(resource_type: str) -> bool:
    return bool(_STORES.match(resource_type))


def is_global(resource_type: str) -> bool:
    return bool(_GLOBAL.fullmatch(resource_type))


def takes_region(resource_type: str) -> bool:
    """Return whether a resource without a region of its own is known to stand in its provider's."""
    if _GOOGLE_REGIONAL.fullmatch(resource_type):
        return True
    return bool(_AWS_REGIONAL.fullmatch(resource_type)) and not _AWS_ACROSS_REGIONS.fullmatch(resource_type)


def takes_zone(resource_type: str) -> bool:
    """Return whether a resource without a zone of its own is known to stand in its provider's."""
    return bool(_GOOGLE_ZONAL.fullmatch(resource_type))
