# https://developer.hashicorp.com/packer/integrations/hashicorp/amazon/latest/components/builder/ebs

locals {
  amazon_ebs_architectures = { amd64 = "x86_64", arm64 = "arm64" }

  amazon_ebs_tags = {
    for key, value in var.amazon_ebs_tags :
    replace(key, "{{", local.escaped_braces) => replace(value, "{{", local.escaped_braces)
  }
}

source "amazon-ebs" "node" {
  region          = var.amazon_ebs_region
  instance_type   = var.amazon_ebs_instance_type
  ami_name        = "${var.image_name}-${formatdate("YYYYMMDD-hhmmss", timestamp())}"
  ami_description = "Kubernetes worker, baked from cluster.yaml"

  source_ami_filter {
    owners      = [var.amazon_ebs_ami_owner]
    most_recent = true
    # Ubuntu 18.04 is past its end of support: every AMI of it is deprecated.
    include_deprecated = true
    filters = merge(
      {
        name                = replace(var.amazon_ebs_ami_name, "{{", local.escaped_braces)
        architecture        = local.amazon_ebs_architectures[var.architecture]
        root-device-type    = "ebs"
        virtualization-type = "hvm"
      },
      var.amazon_ebs_ami_id == null ? {} : { image-id = var.amazon_ebs_ami_id },
    )
  }

  vpc_id               = var.amazon_ebs_vpc_id
  subnet_id            = var.amazon_ebs_subnet_id
  security_group_ids   = var.amazon_ebs_security_group_ids
  iam_instance_profile = var.amazon_ebs_instance_profile

  # IMDSv2 only, both while it is built and on every instance of the AMI. Instances of such an AMI answer their pods too
  # (AWS sets their hop limit to 2): start them with HttpPutResponseHopLimit=1, or a pod can read the bootstrap token.
  imds_support = "v2.0"
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  launch_block_device_mappings {
    device_name           = var.amazon_ebs_root_device
    volume_size           = var.amazon_ebs_volume_size_gib
    volume_type           = var.amazon_ebs_volume_type
    encrypted             = true
    kms_key_id            = var.amazon_ebs_kms_key_id
    delete_on_termination = true
  }

  tags            = merge({ Name = var.image_name }, local.amazon_ebs_tags)
  snapshot_tags   = merge({ Name = var.image_name }, local.amazon_ebs_tags)
  run_tags        = merge({ Name = "${var.image_name}-build" }, local.amazon_ebs_tags)
  run_volume_tags = merge({ Name = "${var.image_name}-build" }, local.amazon_ebs_tags)

  ssh_username              = var.amazon_ebs_ssh_user
  ssh_private_key_file      = var.ssh_private_key_file
  temporary_key_pair_type   = "ed25519"
  ssh_clear_authorized_keys = true
  ssh_timeout               = "15m"
}
