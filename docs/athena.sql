-- Filterscope's tables in Athena: see tables.md. Put your output in place of s3://bucket/out.

CREATE EXTERNAL TABLE `runs` (
  `dataset` string,
  `createdat` string,
  `weights` string,
  `weightssha256` string,
  `flavour` string,
  `synthetic` boolean,
  `labels` string,
  `layers` string,
  `fit` string,
  `kernel` string,
  `countduplicates` string,
  `images` bigint,
  `ok` bigint,
  `failed` bigint,
  `skipped` bigint,
  `duplicates` bigint
)
PARTITIONED BY (`run` string)
STORED AS PARQUET
LOCATION 's3://bucket/out/index/runs/';

CREATE EXTERNAL TABLE `layers` (
  `layer` string,
  `filters` int,
  `positions` int,
  `images` bigint,
  `blankrate` double,
  `blankratelow` double,
  `blankratehigh` double,
  `zeroshare` double,
  `zerosharelow` double,
  `zerosharehigh` double,
  `dead` int,
  `deadbound` double,
  `mostlyzero` int,
  `moreimages` int,
  `synthetic` boolean
)
PARTITIONED BY (`run` string)
STORED AS PARQUET
LOCATION 's3://bucket/out/index/layers/';

CREATE EXTERNAL TABLE `filters` (
  `layer` string,
  `filter` int,
  `images` bigint,
  `blank` bigint,
  `blankrate` double,
  `blankratelow` double,
  `blankratehigh` double,
  `zeroshare` double,
  `zerosharelow` double,
  `zerosharehigh` double,
  `maxactivation` double,
  `meanmax` double,
  `dead` boolean,
  `deadbound` double,
  `moreimages` int,
  `synthetic` boolean
)
PARTITIONED BY (`run` string)
STORED AS PARQUET
LOCATION 's3://bucket/out/index/filters/';

CREATE EXTERNAL TABLE `images` (
  `row` int,
  `image` string,
  `class` string,
  `status` string,
  `code` string,
  `message` string,
  `width` int,
  `height` int,
  `format` string,
  `sizebytes` bigint,
  `etag` string,
  `sha256` string,
  `blankfilters` struct<block1_conv1:int,block1_conv2:int,block2_conv1:int,block2_conv2:int,block3_conv1:int,block3_conv2:int,block3_conv3:int,block4_conv1:int,block4_conv2:int,block4_conv3:int,block5_conv1:int,block5_conv2:int,block5_conv3:int>,
  `zeros` struct<block1_conv1:int,block1_conv2:int,block2_conv1:int,block2_conv2:int,block3_conv1:int,block3_conv2:int,block3_conv3:int,block4_conv1:int,block4_conv2:int,block4_conv3:int,block5_conv1:int,block5_conv2:int,block5_conv3:int>,
  `duplicateof` int,
  `grids` string
)
PARTITIONED BY (`run` string)
STORED AS PARQUET
LOCATION 's3://bucket/out/index/images/';

CREATE EXTERNAL TABLE `readings` (
  `row` int,
  `image` string,
  `class` string,
  `block1_conv1_zeros` array<int>,
  `block1_conv1_max` array<float>,
  `block1_conv1_mean` array<float>,
  `block1_conv1_position` array<int>,
  `block1_conv2_zeros` array<int>,
  `block1_conv2_max` array<float>,
  `block1_conv2_mean` array<float>,
  `block1_conv2_position` array<int>,
  `block2_conv1_zeros` array<int>,
  `block2_conv1_max` array<float>,
  `block2_conv1_mean` array<float>,
  `block2_conv1_position` array<int>,
  `block2_conv2_zeros` array<int>,
  `block2_conv2_max` array<float>,
  `block2_conv2_mean` array<float>,
  `block2_conv2_position` array<int>,
  `block3_conv1_zeros` array<int>,
  `block3_conv1_max` array<float>,
  `block3_conv1_mean` array<float>,
  `block3_conv1_position` array<int>,
  `block3_conv2_zeros` array<int>,
  `block3_conv2_max` array<float>,
  `block3_conv2_mean` array<float>,
  `block3_conv2_position` array<int>,
  `block3_conv3_zeros` array<int>,
  `block3_conv3_max` array<float>,
  `block3_conv3_mean` array<float>,
  `block3_conv3_position` array<int>,
  `block4_conv1_zeros` array<int>,
  `block4_conv1_max` array<float>,
  `block4_conv1_mean` array<float>,
  `block4_conv1_position` array<int>,
  `block4_conv2_zeros` array<int>,
  `block4_conv2_max` array<float>,
  `block4_conv2_mean` array<float>,
  `block4_conv2_position` array<int>,
  `block4_conv3_zeros` array<int>,
  `block4_conv3_max` array<float>,
  `block4_conv3_mean` array<float>,
  `block4_conv3_position` array<int>,
  `block5_conv1_zeros` array<int>,
  `block5_conv1_max` array<float>,
  `block5_conv1_mean` array<float>,
  `block5_conv1_position` array<int>,
  `block5_conv2_zeros` array<int>,
  `block5_conv2_max` array<float>,
  `block5_conv2_mean` array<float>,
  `block5_conv2_position` array<int>,
  `block5_conv3_zeros` array<int>,
  `block5_conv3_max` array<float>,
  `block5_conv3_mean` array<float>,
  `block5_conv3_position` array<int>
)
PARTITIONED BY (`run` string)
STORED AS PARQUET
LOCATION 's3://bucket/out/index/readings/';
