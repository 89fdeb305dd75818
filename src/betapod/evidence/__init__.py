"""What has been published: typed records of studies, their pooling, and how certain the pooled result is."""
