"""Terms of the W3C Data Privacy Vocabulary (DPV 2) and its extensions that records and receipts use as codes."""

DPV = "https://w3id.org/dpv#"
PD = "https://w3id.org/dpv/pd#"
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"

STATES = {
    "given": f"{DPV}ConsentGiven",
    "refused": f"{DPV}ConsentRefused",
    "withdrawn": f"{DPV}ConsentWithdrawn",
    "objected": f"{GDPR}A21",
}
LEGAL_BASES = {
    "consent": f"{GDPR}A6-1-a",
    "contract": f"{GDPR}A6-1-b",
    "legal_obligation": f"{GDPR}A6-1-c",
    "vital_interests": f"{GDPR}A6-1-d",
    "public_task": f"{GDPR}A6-1-e",
    "legitimate_interests": f"{GDPR}A6-1-f",
}
CONSENT, WITHDRAW, PERSONAL_DATA = LEGAL_BASES["consent"], f"{GDPR}A7-3", f"{DPV}PersonalData"
EXPLICIT, EXPRESSED = f"{DPV}ExplicitlyExpressedConsent", f"{DPV}ExpressedConsent"
ROLES = {
    "controller": f"{DPV}DataController",
    "joint_controller": f"{DPV}JointDataControllers",
    "processor": f"{DPV}DataProcessor",
    "recipient": f"{DPV}Recipient",
    "third_party": f"{DPV}ThirdParty",
    "dpo": f"{DPV}DataProtectionOfficer",
    "authority": f"{DPV}DataProtectionAuthority",
}
# What a transfer to another country rests on: GDPR Articles 45, 46 and 49.
TRANSFERS = {
    "adequacy": f"{GDPR}A45-3",
    "standard_clauses": f"{GDPR}A46-2-c",
    "binding_rules": f"{GDPR}A46-2-b",
    "code_of_conduct": f"{GDPR}A46-2-e",
    "certification": f"{GDPR}A46-2-f",
    "explicit_consent": f"{GDPR}A49-1-a",
    "contract": f"{GDPR}A49-1-b",
}
RIGHTS = tuple(f"{GDPR}{article}" for article in ("A7-3", "A15", "A16", "A17", "A18", "A20", "A21", "A77"))
_KINDS_OF_DATA = {
    "views": f"{PD}BrowsingBehaviour",
    "purchases": f"{PD}Purchase",
    "ratings": f"{PD}Opinion",
    "email_address": f"{PD}EmailAddress",
    "postal_address": f"{PD}PhysicalAddress",
    "health": f"{PD}Health",
    "religion": f"{PD}Religion",
    "ethnicity": f"{PD}EthnicOrigin",
    "political_opinion": f"{PD}PoliticalOpinion",
    "sexual_orientation": f"{PD}SexualPreference",
    "biometrics": f"{PD}Biometric",
    "genetics": f"{PD}Genetic",
    "union_membership": f"{PD}TradeUnionMembership",
}
# What counts as sensitive in receipts of records whose snapshot does not hold the register of sensitive categories.
SENSITIVE_BEFORE = frozenset(
    {"health", "religion", "ethnicity", "political_opinion", "sexual_orientation", "biometrics", "genetics"}
    | {"union_membership"}
)


# The purposes of DPV 2.3: the only terms that an officer may give a purpose.
PURPOSES = frozenset(
    (
        "AcademicResearch", "AccountManagement", "Advertising", "AgeVerification", "CombatClimateChange",
        "CommercialPurpose", "CommercialResearch", "CommunicationForCustomerCare", "CommunicationManagement",
        "CounterMoneyLaundering", "Counterterrorism", "CustomerCare", "CustomerClaimsManagement",
        "CustomerManagement", "CustomerOrderManagement", "CustomerRelationshipManagement",
        "CustomerSolvencyMonitoring", "DataAltruism", "DeliveryOfGoods", "DirectMarketing", "DisputeManagement",
        "EnforceAccessControl", "EnforceSecurity", "EstablishContractualAgreement", "FraudPreventionAndDetection",
        "FulfilmentOfContractualObligation", "FulfilmentOfObligation", "HumanResourceManagement",
        "IdentityAuthentication", "IdentityVerification", "ImproveExistingProductsAndServices", "ImproveHealthcare",
        "ImproveInternalCRMProcesses", "ImprovePublicServices", "ImproveTransportMobility",
        "IncreaseServiceRobustness", "InternalResourceOptimisation", "LegalCompliance", "MaintainFraudDatabase",
        "Marketing", "MemberPartnerManagement", "MisusePreventionAndDetection", "NonCommercialPurpose",
        "NonCommercialResearch", "OptimisationForConsumer", "OptimisationForController", "OptimiseUserInterface",
        "OrganisationComplianceManagement", "OrganisationGovernance", "OrganisationRiskManagement",
        "PaymentManagement", "Personalisation", "PersonalisedAdvertising", "PersonalisedBenefits",
        "PersonnelBehaviourMonitoring", "PersonnelHiring", "PersonnelManagement", "PersonnelMonitoring",
        "PersonnelOffboarding", "PersonnelOnboarding", "PersonnelPayment", "PersonnelPerformanceEvaluation",
        "PersonnelPerformanceManagement", "PersonnelPerformanceMonitoring", "PersonnelPerformancePrediction",
        "PersonnelPromotionManagement", "PersonnelTerminationManagement", "PersonnelWorkloadManagement",
        "PoliticalCampaign", "ProtectionOfIPR", "ProtectionOfNationalSecurity", "ProtectionOfPublicSecurity",
        "ProvideEventRecommendations", "ProvideOfficialStatistics", "ProvidePersonalisedRecommendations",
        "ProvideProductRecommendations", "PublicBenefit", "PublicPolicyMaking", "PublicRelations",
        "RecordManagement", "RecruitmentAdvertising", "RecruitmentApplicantBackgroundCheck",
        "RecruitmentApplicantCriminalBackgroundCheck", "RecruitmentApplicantInformationAuthentication",
        "RecruitmentApplicantSelection", "RecruitmentApplicationAnalysis", "RecruitmentApplicationManagement",
        "RecruitmentApplicationScreening", "RecruitmentInterviewAnalysis", "RecruitmentInterviewAssessment",
        "RecruitmentInterviewManagement", "RecruitmentInterviewScheduling", "RecruitmentManagement",
        "RecruitmentTargetedAdvertising", "RepairImpairments", "RequestedServiceProvision",
        "ResearchAndDevelopment", "RightsFulfilment", "ScientificResearch", "SearchFunctionalities",
        "SellDataToThirdParties", "SellInsightsFromData", "SellProducts", "SellProductsToDataSubject",
        "ServiceAccessDetermination", "ServiceManagement", "ServiceMonitoring", "ServiceOptimisation",
        "ServicePersonalisation", "ServiceProvision", "ServiceRegistration", "ServiceUsageAnalytics",
        "SocialMediaMarketing", "TargetedAdvertising", "TechnicalServiceProvision", "UserInterfacePersonalisation",
        "VendorManagement", "VendorPayment", "VendorRecordsManagement", "VendorSelectionAssessment", "Verification",
    )
)  # fmt: skip


def purpose(term: str) -> str:
    return f"{DPV}{term}"


def personal_data(term: str) -> str:
    return f"{PD}{term}"


def kind_of_data(slug: str) -> str:
    """Return the term for a kind of data; the general one where the vocabulary has no closer word."""
    return _KINDS_OF_DATA.get(slug, PERSONAL_DATA)
