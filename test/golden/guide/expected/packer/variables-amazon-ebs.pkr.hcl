variable "amazon_ebs_region" {
  type        = string
  description = "Region in which the AMI is built and stays."

  validation {
    condition     = can(regex("^[a-z]{2,}(-[a-z]+)+-[0-9]+$", var.amazon_ebs_region))
    error_message = "The region must be a name such as eu-central-1."
  }
}

variable "amazon_ebs_instance_type" {
  type        = string
  description = "Instance type of the build machine, of the nodes' architecture."

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.amazon_ebs_instance_type))
    error_message = "The instance type must be a name such as t3.medium."
  }
}

variable "amazon_ebs_ami_owner" {
  type        = string
  description = "Account that publishes the base AMI; Canonical's is 099720109477, Debian's 136693071363."

  validation {
    condition     = can(regex("^([0-9]{12}|self|amazon|aws-marketplace)$", var.amazon_ebs_ami_owner))
    error_message = "The owner must be an account of twelve digits."
  }
}

variable "amazon_ebs_ami_name" {
  type        = string
  description = "Name pattern of the base AMI; of those that match, the newest is taken, also a deprecated one."

  validation {
    condition     = length(var.amazon_ebs_ami_name) > 0
    error_message = "The base AMI must have a name or a pattern."
  }
}

variable "amazon_ebs_ami_id" {
  type        = string
  description = "The one base AMI that bake.lock names. Null: the newest that matches."

  validation {
    condition     = var.amazon_ebs_ami_id == null || can(regex("^ami-[0-9a-f]+$", var.amazon_ebs_ami_id))
    error_message = "The base AMI must be an id such as ami-0123456789abcdef0."
  }
}

variable "amazon_ebs_root_device" {
  type        = string
  description = "Name of the base AMI's root device."

  validation {
    condition     = can(regex("^/dev/[a-z0-9]+$", var.amazon_ebs_root_device))
    error_message = "The root device must be a name such as /dev/sda1."
  }
}

variable "amazon_ebs_ssh_user" {
  type        = string
  description = "The user that the base AMI's cloud-init makes."

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_-]*$", var.amazon_ebs_ssh_user))
    error_message = "The user must be a Linux user name."
  }
}

variable "amazon_ebs_vpc_id" {
  type        = string
  description = "VPC of the build machine. Null: the VPC of the subnet, or the default one."

  validation {
    condition     = var.amazon_ebs_vpc_id == null || can(regex("^vpc-[0-9a-f]+$", var.amazon_ebs_vpc_id))
    error_message = "The VPC must be an id such as vpc-0123456789abcdef0."
  }
}

variable "amazon_ebs_subnet_id" {
  type        = string
  description = "Subnet of the build machine. Null: one of the default VPC."

  validation {
    condition     = var.amazon_ebs_subnet_id == null || can(regex("^subnet-[0-9a-f]+$", var.amazon_ebs_subnet_id))
    error_message = "The subnet must be an id such as subnet-0123456789abcdef0."
  }
}

variable "amazon_ebs_security_group_ids" {
  type        = list(string)
  description = "Security groups of the build machine. Empty: Packer makes one that lets SSH in from everywhere."

  validation {
    condition     = !contains([for id in var.amazon_ebs_security_group_ids : can(regex("^sg-[0-9a-f]+$", id))], false)
    error_message = "Each security group must be an id such as sg-0123456789abcdef0."
  }
}

variable "amazon_ebs_instance_profile" {
  type        = string
  description = "IAM instance profile of the build machine, by name. Null: none."

  validation {
    condition     = var.amazon_ebs_instance_profile == null || can(regex("^[A-Za-z0-9+=,.@_-]+$", var.amazon_ebs_instance_profile))
    error_message = "The instance profile must be a name of IAM."
  }
}

variable "amazon_ebs_volume_size_gib" {
  type        = number
  description = "Size of the root volume, in GiB."

  validation {
    condition     = var.amazon_ebs_volume_size_gib >= 8
    error_message = "The root volume needs 8 GiB or more."
  }
}

variable "amazon_ebs_volume_type" {
  type        = string
  description = "Type of the root volume, such as gp3."

  validation {
    condition     = contains(["gp2", "gp3", "standard"], var.amazon_ebs_volume_type)
    error_message = "The volume type must be one that can boot: gp2, gp3 or standard."
  }
}

variable "amazon_ebs_kms_key_id" {
  type        = string
  description = "KMS key for the root volume: an id, an alias or an ARN. Null: the account's own key for EBS."

  validation {
    condition     = var.amazon_ebs_kms_key_id == null || can(regex("^[A-Za-z0-9:/_-]+$", var.amazon_ebs_kms_key_id))
    error_message = "The KMS key must be an id, an alias or an ARN."
  }
}

variable "amazon_ebs_tags" {
  type        = map(string)
  description = "Tags of the AMI, its snapshot and of what the build makes on the way."
}
